"""What is shown to people: the service and the probe in a session, as images, and on Docker Swarm."""
