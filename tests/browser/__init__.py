"""Pages in a real browser, with a real platform behind them."""
