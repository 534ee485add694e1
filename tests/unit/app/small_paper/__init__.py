"""A paper of nothing, for a process that draws beside another one."""
