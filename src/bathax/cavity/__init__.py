"""A cavity mode in its reservoirs (Fano-Anderson model): Green functions, channel, states."""
