"""From what a caller asks to what goes on the wire: resolve, encode, check, explain. Nothing here touches the network."""
