"""The lazy regime: when a network moves like its tangent model, what is lost where it does, and its kernel limit as learning."""
