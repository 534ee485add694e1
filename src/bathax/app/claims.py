from bathax.studies import paper
def table(results: paper.Results) -> str:
    return ""
