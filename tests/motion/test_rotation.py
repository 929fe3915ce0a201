"""Rotations: every form into every other, against the definitions; numpy and torch."""

from itertools import permutations

import numpy as np
import pytest

from atom_hf.motion import rotation


def random_quaternions(count: int, seed: int = 0) -> np.ndarray:
    q = np.random.default_rng(seed).standard_normal((count, 4))
    q = np.concatenate([q, np.eye(4), [[1e-9, 1, 0, 0], [0.5, -0.5, 0.5, -0.5], [1, 1e-9, 0, 0]]])
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def test_quaternions_act_as_their_matrices(backend):
    q, p = backend(random_quaternions(50)), backend(random_quaternions(50, seed=1))
    v = backend(np.random.default_rng(2).standard_normal((57, 3)))
    matrix = np.asarray(rotation.quaternion_to_matrix(q))
    np.testing.assert_allclose(
        matrix @ np.swapaxes(matrix, -1, -2), np.broadcast_to(np.eye(3), matrix.shape), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(matrix), 1, atol=1e-12)
    rotated = np.asarray(rotation.quaternion_apply(q, v))
    np.testing.assert_allclose(rotated, (matrix @ np.asarray(v)[..., None])[..., 0], atol=1e-12)
    product = rotation.quaternion_to_matrix(rotation.quaternion_multiply(q, p))
    np.testing.assert_allclose(np.asarray(product), matrix @ np.asarray(rotation.quaternion_to_matrix(p)), atol=1e-12)
    identity = np.asarray(rotation.quaternion_multiply(q, rotation.quaternion_inverse(q)))
    np.testing.assert_allclose(identity, np.broadcast_to([1, 0, 0, 0], identity.shape), atol=1e-12)


def test_a_quarter_turn_about_each_axis():
    """The sign convention, written out: right-handed, column vectors."""
    x, y, z = np.eye(3)
    for axis, start, end in ((x, y, z), (y, z, x), (z, x, y)):
        turn = rotation.axis_angle_to_matrix(axis * np.pi / 2)
        np.testing.assert_allclose(turn @ start, end, atol=1e-12)
        letter = "XYZ"[int(np.argmax(axis))]
        np.testing.assert_allclose(rotation.euler_to_matrix(np.array([np.pi / 2]), letter), turn, atol=1e-12)


def test_matrix_forms_return(backend):
    matrix = rotation.quaternion_to_matrix(backend(random_quaternions(200)))
    for there, back in (
        (rotation.matrix_to_quaternion, rotation.quaternion_to_matrix),
        (rotation.matrix_to_rotation_6d, rotation.rotation_6d_to_matrix),
        (rotation.matrix_to_axis_angle, rotation.axis_angle_to_matrix),
    ):
        np.testing.assert_allclose(np.asarray(back(there(matrix))), np.asarray(matrix), atol=1e-8)
    assert (np.asarray(rotation.matrix_to_quaternion(matrix))[:, 0] >= -1e-12).all()
    assert (np.linalg.norm(np.asarray(rotation.matrix_to_axis_angle(matrix)), axis=-1) <= np.pi + 1e-9).all()


@pytest.mark.parametrize("order", ["".join(order) for order in permutations("XYZ")])
def test_euler_angles(backend, order):
    angles = np.random.default_rng(3).uniform(-1, 1, (100, 3)) * [np.pi, np.pi / 2, np.pi]
    angles[:2, 1] = np.pi / 2, -np.pi / 2  # gimbal lock
    matrix = rotation.euler_to_matrix(backend(angles), order)
    steps = [
        rotation.axis_angle_to_matrix(np.eye(3)["XYZ".index(a)] * angles[:, i : i + 1]) for i, a in enumerate(order)
    ]
    np.testing.assert_allclose(np.asarray(matrix), steps[0] @ steps[1] @ steps[2], atol=1e-12)
    found = np.asarray(rotation.matrix_to_euler(matrix, order))
    np.testing.assert_allclose(found[2:], angles[2:], atol=1e-9)
    np.testing.assert_allclose(rotation.euler_to_matrix(found, order), np.asarray(matrix), atol=1e-7)


def test_rotation_between(backend):
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((2, 60, 3))
    a[:3], b[:3] = np.eye(3), -np.eye(3)  # opposite: any half turn is right
    a[3], b[3] = [1, 2, 3], [2, 4, 6]  # parallel: no turn
    q = np.asarray(rotation.rotation_between(backend(a), backend(b)))
    turned = rotation.quaternion_apply(q, a / np.linalg.norm(a, axis=-1, keepdims=True))
    np.testing.assert_allclose(turned, b / np.linalg.norm(b, axis=-1, keepdims=True), atol=1e-9)
    np.testing.assert_allclose(q[3], [1, 0, 0, 0], atol=1e-12)
    cosine = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    np.testing.assert_allclose(2 * np.arccos(np.clip(q[4:, 0], -1, 1)), np.arccos(cosine[4:]), atol=1e-7)  # smallest


def test_noisy_6d_becomes_a_rotation():
    matrix = rotation.rotation_6d_to_matrix(np.random.default_rng(5).standard_normal((40, 6)))
    np.testing.assert_allclose(
        np.swapaxes(matrix, -1, -2) @ matrix, np.broadcast_to(np.eye(3), matrix.shape), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(matrix), 1, atol=1e-9)


def test_gradients_are_finite_at_the_identity():
    torch = pytest.importorskip("torch")
    for function, value in (
        (rotation.axis_angle_to_matrix, torch.zeros(3)),
        (rotation.matrix_to_axis_angle, torch.eye(3)),
        (rotation.matrix_to_quaternion, torch.eye(3)),
        (rotation.rotation_6d_to_matrix, torch.tensor([1.0, 0, 0, 0, 1, 0])),
    ):
        value = value.clone().requires_grad_()
        function(value).sum().backward()
        assert torch.isfinite(value.grad).all(), function


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: rotation.quaternion_multiply(np.ones(3), np.ones(4)), "Expected 4 numbers"),
        (lambda: rotation.quaternion_to_matrix(np.ones((2, 3))), r"got shape \(2, 3\)"),
        (lambda: rotation.matrix_to_quaternion(np.ones((3, 2))), r"\[..., 3, 3\], got shape \(3, 2\)"),
        (lambda: rotation.euler_to_matrix(np.ones(3), "XYA"), "letters X, Y, Z such as 'ZXY', got 'XYA'"),
        (lambda: rotation.euler_to_matrix(np.ones(2), "XYZ"), "Expected 3 numbers"),
        (lambda: rotation.matrix_to_euler(np.eye(3), "XYX"), "permutation of 'XYZ', got 'XYX'"),
    ],
)
def test_bad_input(call, text):
    with pytest.raises(ValueError, match=text):
        call()
