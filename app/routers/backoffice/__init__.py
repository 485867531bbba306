"""What employees and partners' applications call."""
