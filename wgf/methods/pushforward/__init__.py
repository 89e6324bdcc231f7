"""Exact densities: the initial law pushed forward by the flow, point by point along backward characteristics."""
