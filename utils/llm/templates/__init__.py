"""Chat templates of models from elsewhere: they are programs, and are tried with limits before they are used."""
