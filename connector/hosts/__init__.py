"""Other platforms' doors to the connector: one folder a host, each thin over what the floors below do.

What they call goes through `connector.calls`: a host's own identity of a call is the key of a task, so that a host that
repeats pays once.
"""
