"""The laboratory's application: new clients and sessions that stay open, without end, and what they meet."""
