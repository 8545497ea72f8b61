"""Run the numerical work: random streams, batches, threads and processes, trainings; nothing here knows of trips."""
