"""A typer app with one command, as small as it gets."""

import typer

app = typer.Typer()


@app.command()
def greet(name: str, loud: bool = False) -> None:
    """Say hello."""
    print(f"hello {name}{'!' * loud}")


app()
