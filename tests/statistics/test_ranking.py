"""Ranking metrics against scikit-learn's NDCG and the definitions by brute force."""

import math
import unittest

import numpy as np
from sklearn.metrics import average_precision_score, ndcg_score

from cases import CASES, Comparison, answers, listed


def make_case(seed):
    random = np.random.default_rng([4, seed])
    queries, rows = int(random.integers(1, 9)), int(random.choice([1, 10, 60]))
    top, levels = int(random.choice([1, 2, 5, 20])), random.choice([0, 2, 10])
    relevance = random.integers(0, top + 1, rows) * (random.random(rows) < 0.4)
    scores = random.normal(0, 1, rows) + 0.3 * relevance
    if levels:
        scores = np.round(scores * levels) / levels
    return {"what": "ranking", "queries": [int(q) - 3 for q in random.integers(0, queries, rows)],
            "scores": listed(scores.astype(np.float32)), "relevance": [int(r) for r in relevance],
            "k": int(random.choice([1, 3, 10, 1000]))}


def figures(documents, k):
    """(score, relevance) of one query: NDCG, AP, reciprocal rank, hit."""
    scores, relevance = (np.array(column) for column in zip(*documents))
    gains = 2.0 ** relevance - 1
    ndcg = ndcg_score([gains], [scores], k=k) if len(documents) > 1 else 1.0
    ranked = [r for _, r in sorted(documents, key=lambda d: (-d[0], d[1]))][:k]
    found = [i + 1 for i, r in enumerate(ranked) if r > 0]
    precision = math.fsum((n + 1) / rank for n, rank in enumerate(found)) / min(k, (relevance > 0).sum())
    return [ndcg, precision, 1 / found[0] if found else 0, 1 if found else 0]


class Ranking(unittest.TestCase):
    def test_ranking_metrics_equal_scikit_learn_and_their_definitions(self):
        cases = [make_case(seed) for seed in range(CASES)]
        check, without, whole = Comparison(self), 0, 0
        for i, (case, ours) in enumerate(zip(cases, answers(cases))):
            rows = list(zip(case["queries"], case["scores"], case["relevance"]))
            per_query, left_out = [], 0
            for query in set(case["queries"]):
                documents = [(s, r) for q, s, r in rows if q == query]
                if not any(r for _, r in documents):
                    left_out += 1
                    continue
                per_query.append(figures(documents, case["k"]))
                if case["k"] == 1000 and len({s for s, _ in documents}) == len(documents):
                    whole += 1  # without ties and cut, AP is scikit-learn's
                    check.near(f"case {i} AP", per_query[-1][1],
                               average_precision_score([r > 0 for _, r in documents],
                                                       [s for s, _ in documents]))
            without += left_out
            check.equal(f"case {i} queries", [ours["queries"], ours["without_relevant"]],
                        [len(per_query), left_out])
            for j, name in enumerate(("ndcg", "map", "mrr", "hit_rate")):
                check.near(f"case {i} {name}", ours[name],
                           math.fsum(q[j] for q in per_query) / len(per_query) if per_query else math.nan)
        check.close(5 * CASES)
        self.assertGreater(min(without, whole), CASES // 20)


if __name__ == "__main__":
    unittest.main()
