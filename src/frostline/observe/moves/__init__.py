"""Where a move came from: averages and copies that are followed, adapters that are merged, values at other times."""
