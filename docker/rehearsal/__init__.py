"""What docker/drill is made of."""
