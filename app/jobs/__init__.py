"""What workers do, and how they run."""
