"""Events as pandas data frames."""
