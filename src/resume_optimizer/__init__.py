"""The Resume Optimizer: the application that Watchkeeper ships with and watches."""
