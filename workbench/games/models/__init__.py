"""What a game is: bounds alone, or quadratic, matrix, Markov, formulas or a function, on a region."""
