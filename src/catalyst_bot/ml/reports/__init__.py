"""What a walk forward found, as a file for programs and as a page for people."""
