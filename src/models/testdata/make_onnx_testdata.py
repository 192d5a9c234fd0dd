#!/usr/bin/env python3
"""Makes the ONNX files of this folder with tools that are not ours: onnx's own helper and skl2onnx.

    python3 -m venv V; V/bin/pip install onnx==1.23.1 onnxruntime==1.32.0 skl2onnx==1.20.0 scikit-learn==1.9.1
    V/bin/python make_onnx_testdata.py

Writes onnx_NAME.onnx. onnx_logistic.rows: a line a row, each number the hexadecimal bits of a float32: 3 cells, and
scikit-learn's probability of the positive class.
"""

import struct
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

HERE = Path(__file__).parent
FLOAT = TensorProto.FLOAT


def value(name, shape, element=FLOAT):
    return helper.make_tensor_value_info(name, element, shape)


def bits(number):
    return struct.pack(">f", float(number)).hex()


def save(name, nodes, inputs=None, outputs=None, constants=(), opset=17, domains=(), functions=()):
    graph = helper.make_graph(nodes, "test", inputs or [value("x", ["rows", 3])],
                              outputs or [value("score", ["rows", 1])],
                              [numpy_helper.from_array(array, key) for key, array in constants])
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(domain, 1) for domain in domains]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=list(functions))
    (HERE / f"onnx_{name}.onnx").write_bytes(model.SerializeToString())


def logistic():
    random = numpy.random.RandomState(5)
    cells = random.randn(400, 3).astype(numpy.float32)
    labels = (cells @ [1.0, -2.0, 0.5] + random.randn(400) > 0).astype(numpy.int64)
    cells[random.rand(400, 3) < 0.1] = numpy.nan
    fitted = make_pipeline(SimpleImputer(), LogisticRegression()).fit(cells, labels)
    for name, options in (("logistic", {"zipmap": False}), ("zipmap", {})):
        model = to_onnx(fitted, cells[:1], options={id(fitted.steps[-1][1]): options} if options else None,
                        target_opset={"": 17, "ai.onnx.ml": 3})
        (HERE / f"onnx_{name}.onnx").write_bytes(model.SerializeToString())
    with open(HERE / "onnx_logistic.rows", "w", encoding="ascii") as file:
        for row, score in zip(cells[:100], fitted.predict_proba(cells[:100])[:, 1]):
            file.write(" ".join(map(bits, [*row, score])) + "\n")


def main():
    logistic()
    weights = ("w", numpy.array([[1], [-2], [0.5]], numpy.float32))
    dense = helper.make_node("MatMul", ["x", "w"], ["margin"])
    sigmoid = helper.make_node("Sigmoid", ["margin"], ["score"])
    both = [value("margin", ["rows", 1]), value("score", ["rows", 1])]
    save("margin", [dense, sigmoid], outputs=both, constants=[weights])
    save("fixed_rows", [dense, sigmoid], [value("x", [4, 3])],
         [value("margin", [4, 1]), value("score", [4, 1])], [weights])
    # The largest of all rows: what a row gets depends on its neighbours.
    save("neighbours", [dense, helper.make_node("ReduceMax", ["margin"], ["most"], keepdims=1),
                        helper.make_node("Div", ["margin", "most"], ["score"])], outputs=both[1:],
         constants=[weights])
    save("two_inputs", [helper.make_node("Add", ["age", "income"], ["score"])],
         [value("age", ["rows", 1]), value("income", ["rows", 1], TensorProto.INT64)])
    save("three_scores", [helper.make_node("Relu", ["x"], ["score"])], outputs=[value("score", ["rows", 3])])
    # Says one number a row and makes three.
    save("wrong_shape", [helper.make_node("Reshape", ["x", "s"], ["score"])],
         constants=[("s", numpy.array([-1, 1], numpy.int64))])
    save("unknown_operator", [helper.make_node("Reluu", ["x"], ["score"])])
    save("unknown_domain", [helper.make_node("Fancy", ["x"], ["score"], domain="acme.models")],
         domains=["acme.models"])
    save("new_opset", [dense, sigmoid], outputs=both, constants=[weights], opset=99)
    save("random", [helper.make_node("RandomNormalLike", ["x"], ["n"]),
                    helper.make_node("MatMul", ["n", "w"], ["score"])], constants=[weights])
    branch = helper.make_graph([helper.make_node("RandomUniform", [], ["r"], shape=[1, 1])], "branch", [],
                               [value("r", [1, 1])])
    save("random_inside", [helper.make_node("If", ["c"], ["score"], then_branch=branch, else_branch=branch)],
         constants=[("c", numpy.array(True))])
    body = helper.make_graph([helper.make_node("Identity", ["c"], ["d"])], "body",
                             [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL)],
                             [value("d", [], TensorProto.BOOL)])
    save("loop", [helper.make_node("Loop", ["", "c"], [], body=body),
                  helper.make_node("MatMul", ["x", "w"], ["score"])],
         constants=[weights, ("c", numpy.array(True))])
    own = helper.make_function("ours", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
                               [helper.make_opsetid("", 17)])
    save("function", [dense, helper.make_node("Twice", ["margin"], ["score"], domain="ours")],
         outputs=both[1:], constants=[weights], domains=["ours"], functions=[own])
    outside = numpy_helper.from_array(weights[1], "w")
    onnx.external_data_helper.set_external_data(outside, "weights.bin")
    outside.ClearField("raw_data")
    graph = helper.make_graph([dense, sigmoid], "test", [value("x", ["rows", 3])], both, [outside])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (HERE / "onnx_external_data.onnx").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
