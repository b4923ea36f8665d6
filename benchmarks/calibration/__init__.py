"""How often the pipeline's tests err on worlds without an effect, and find one that is planted."""
