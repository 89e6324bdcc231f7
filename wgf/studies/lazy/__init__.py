"""The lazy regime: when a network moves like its tangent model, and what is lost where it does."""
