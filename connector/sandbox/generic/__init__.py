"""Operations without a handler of their own, answered by what the catalogue says of them."""
