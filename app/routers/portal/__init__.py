"""What the customer portal calls."""
