"""The lazy regime: networks beside their linearisation, and the kernel limit as learning."""
