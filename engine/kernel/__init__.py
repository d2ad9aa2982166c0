"""What every room stands on: settings, database, bus, value types and errors. Imports nothing of ours."""
