"""Skills: folders of instructions, in versions."""
