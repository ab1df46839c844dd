"""What people look at: explanations, what-ifs, the story on screen, the dashboard."""
