"""The application and the server: who may come in, how fast, over which connection."""
