"""Services that customers switch on for themselves: each its own module."""
