"""Projects to export from: the orders of tests/program, with texts, booleans, calibration, and a build that fails."""

from program import DEFINITION, Project

INPUTS = 'inputs   = ["hour", "amount", "user", "amount > 20", "user.*"]'
SPLIT = "split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }"
PARTS = ("split    = { train_until = 2024-02-20, validate_until = 2024-03-05, calibrate_until = 2024-03-25, "
         "threshold_until = 2024-04-05, test_until = 2024-05-01 }\n"
         'calibration = "CALIBRATION"\nthreshold = { cost = { false_positive = 1, false_negative = 5 } }')


def definition(trainer="xgboost", calibration="isotonic"):
    text = DEFINITION.replace('inputs   = ["hour", "amount", "user.*"]', INPUTS)
    text = text.replace(SPLIT, PARTS.replace("CALIBRATION", calibration))
    text = text.replace('trainer  = "xgboost"', f'trainer  = "{trainer}"')
    if trainer == "linear":
        text = text.replace("max_depth = 4\nrounds = 20", "l2 = 2")
    assert INPUTS in text and calibration in text and trainer in text
    return text


def built(count=8000, **options):
    project = Project(definition(**options), count=count)
    project.run("build")
    return project
