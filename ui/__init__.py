"""What people and programs touch: pages, the API and the command line. Puts the rooms below it together."""
