"""Running instances: advance them, keep them, wake them."""
