"""Write routes as well (HTP+): a model that chooses roads ahead until a distance is driven."""
