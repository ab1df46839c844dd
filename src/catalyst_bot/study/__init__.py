"""What news was worth: event study, record of outcomes, calibration, proposed changes."""
