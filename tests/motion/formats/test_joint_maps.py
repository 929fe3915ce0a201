"""Every naming convention from a BVH file of its own, joints that rigs lack, and what is said of unknown names."""

from pathlib import Path

import numpy as np
import pytest

from atom_hf.motion import JOINT_NAMES, PARENTS, T_POSE_OFFSETS
from atom_hf.motion.formats.bvh import parse_bvh, read_bvh
from atom_hf.motion.formats.joint_maps import joints_from_named

REST = np.zeros((22, 3))
for _joint in range(1, 22):
    REST[_joint] = REST[PARENTS[_joint]] + T_POSE_OFFSETS[_joint]

PLACES = {**dict(zip(JOINT_NAMES, REST, strict=True)), "floor": np.array([0.0, -0.95, 0.0])}

# A rig: chains of name=place, where the place is one of our joints and a chain may begin with a joint above. Lines
# with {s} ({S}, {side}) stand for both sides; ~ is a space.
RIGS = {
    "smpl": """
        pelvis=pelvis spine1=spine1 spine2=spine2 spine3=spine3 neck=neck head=head
        pelvis {side}_hip=hip {side}_knee=knee {side}_ankle=ankle {side}_foot=foot
        spine3 {side}_collar=collar {side}_shoulder=shoulder {side}_elbow=elbow {side}_wrist=wrist {side}_hand=wrist
    """,
    "smpl_short": """
        m_avg_Pelvis=pelvis m_avg_Spine1=spine1 m_avg_Spine2=spine2 m_avg_Spine3=spine3 m_avg_Neck=neck
        m_avg_Neck m_avg_Head=head
        m_avg_Pelvis m_avg_{S}_Hip=hip m_avg_{S}_Knee=knee m_avg_{S}_Ankle=ankle m_avg_{S}_Foot=foot
        m_avg_Spine3 m_avg_{S}_Collar=collar m_avg_{S}_Shoulder=shoulder m_avg_{S}_Elbow=elbow m_avg_{S}_Wrist=wrist
    """,
    "smpl_bare": """
        pelvis=pelvis spine1=spine1 spine2=spine2 spine3=spine3 neck=neck head=head
        pelvis {s}hip=hip {s}knee=knee {s}ankle=ankle {s}foot=foot
        spine3 {s}collar=collar {s}shoulder=shoulder {s}elbow=elbow {s}wrist=wrist
    """,
    "cmu": """
        Hips=pelvis LowerBack=pelvis Spine=spine1 Spine1=spine3 Neck=spine3 Neck1=neck Head=head
        Hips {S}HipJoint=pelvis {side}UpLeg=hip {side}Leg=knee {side}Foot=ankle {side}ToeBase=foot
        Spine1 {side}Shoulder=spine3 {side}Arm=shoulder {side}ForeArm=elbow {side}Hand=wrist {side}FingerBase=wrist
    """,
    "cmu_daz": """
        hip=pelvis abdomen=spine1 chest=spine3 neck=neck head=head
        hip {s}Buttock=hip {s}Thigh=hip {s}Shin=knee {s}Foot=ankle
        chest {s}Collar=collar {s}Shldr=shoulder {s}ForeArm=elbow {s}Hand=wrist
    """,
    "cmu_asf": """
        root=pelvis lowerback=pelvis upperback=spine1 thorax=spine2 lowerneck=spine3 upperneck=neck head=head
        root {s}hipjoint=pelvis {s}femur=hip {s}tibia=knee {s}foot=ankle {s}toes=foot
        thorax {s}clavicle=spine3 {s}humerus=shoulder {s}radius=elbow {s}wrist=wrist {s}hand=wrist
    """,
    "mixamo": """
        mixamorig:Hips=pelvis mixamorig:Spine=spine1 mixamorig:Spine1=spine2 mixamorig:Spine2=spine3
        mixamorig:Spine2 mixamorig:Neck=neck mixamorig:Head=head mixamorig:HeadTop_End=head
        mixamorig:Hips mixamorig:{side}UpLeg=hip mixamorig:{side}Leg=knee mixamorig:{side}Foot=ankle
        mixamorig:{side}Foot mixamorig:{side}ToeBase=foot mixamorig:{side}Toe_End=foot
        mixamorig:Spine2 mixamorig:{side}Shoulder=collar mixamorig:{side}Arm=shoulder mixamorig:{side}ForeArm=elbow
        mixamorig:{side}ForeArm mixamorig:{side}Hand=wrist mixamorig:{side}HandThumb1=wrist
    """,
    "mixamo_bare": """
        mixamorig1_Hips=pelvis Spine=spine1 Spine1=spine2 Spine2=spine3 Neck=neck Head=head
        mixamorig1_Hips {side}UpLeg=hip {side}Leg=knee {side}Foot=ankle {side}ToeBase=foot
        Spine2 {side}Shoulder=collar {side}Arm=shoulder {side}ForeArm=elbow {side}Hand=wrist
    """,
    "cc_base": """
        RL_BoneRoot=floor CC_Base_Hip=pelvis CC_Base_Pelvis=pelvis
        CC_Base_Pelvis CC_Base_{S}_Thigh=hip CC_Base_{S}_Calf=knee CC_Base_{S}_KneeShareBone=knee
        CC_Base_{S}_Calf CC_Base_{S}_Foot=ankle CC_Base_{S}_ToeBaseShareBone=foot
        CC_Base_{S}_Foot CC_Base_{S}_ToeBase=foot CC_Base_{S}_BigToe1=foot
        CC_Base_Hip CC_Base_Waist=spine1 CC_Base_Spine01=spine2 CC_Base_Spine02=spine3 CC_Base_NeckTwist01=neck
        CC_Base_NeckTwist01 CC_Base_NeckTwist02=neck CC_Base_Head=head
        CC_Base_Spine02 CC_Base_{S}_Clavicle=collar CC_Base_{S}_Upperarm=shoulder CC_Base_{S}_Forearm=elbow
        CC_Base_{S}_Forearm CC_Base_{S}_ForearmTwist01=elbow CC_Base_{S}_Hand=wrist
    """,
    "bandai_namco": """
        joint_Root=floor Hips=pelvis Spine=spine1 Chest=spine3 Neck=neck Head=head
        Hips UpperLeg_{S}=hip LowerLeg_{S}=knee Foot_{S}=ankle Toes_{S}=foot
        Chest Shoulder_{S}=collar UpperArm_{S}=shoulder LowerArm_{S}=elbow Hand_{S}=wrist
    """,
    "lafan1": """
        Hips=pelvis Spine=spine1 Spine1=spine2 Spine2=spine3 Neck=neck Head=head
        Hips {side}UpLeg=hip {side}Leg=knee {side}Foot=ankle {side}Toe=foot
        Spine2 {side}Shoulder=collar {side}Arm=shoulder {side}ForeArm=elbow {side}Hand=wrist
    """,
    "biovision": """
        Hips=pelvis Chest=spine1 Chest2=spine2 Chest3=spine3 Neck=neck Head=head
        Hips {side}Hip=hip {side}Knee=knee {side}Ankle=ankle {side}Toe=foot
        Chest3 {side}Collar=collar {side}Shoulder=shoulder {side}Elbow=elbow {side}Wrist=wrist
    """,
    "biped": """
        Bip01=pelvis Bip01~Pelvis=pelvis Bip01~Spine=spine1 Bip01~Spine1=spine3 Bip01~Neck=neck Bip01~Head=head
        Bip01~Pelvis Bip01~{S}~Thigh=hip Bip01~{S}~Calf=knee Bip01~{S}~Foot=ankle Bip01~{S}~Toe0=foot
        Bip01~Neck Bip01~{S}~Clavicle=collar Bip01~{S}~UpperArm=shoulder Bip01~{S}~Forearm=elbow Bip01~{S}~Hand=wrist
    """,
    "unity": """
        Hips=pelvis Spine=spine1 Chest=spine2 UpperChest=spine3 Neck=neck Head=head
        Hips {side}UpperLeg=hip {side}LowerLeg=knee {side}Foot=ankle {side}Toes=foot
        UpperChest {side}Shoulder=collar {side}UpperArm=shoulder {side}LowerArm=elbow {side}Hand=wrist
    """,
    "unreal": """
        root=floor pelvis=pelvis spine_01=spine1 spine_02=spine2 spine_03=spine3 neck_01=neck head=head
        pelvis thigh_{s}=hip calf_{s}=knee foot_{s}=ankle ball_{s}=foot
        spine_03 clavicle_{s}=collar upperarm_{s}=shoulder lowerarm_{s}=elbow hand_{s}=wrist
    """,
    "xsens": """
        Pelvis=pelvis L5=spine1 L3=spine2 T12=spine3 T8=spine3 Neck=neck Head=head
        Pelvis {side}UpperLeg=hip {side}LowerLeg=knee {side}Foot=ankle {side}Toe=foot
        T8 {side}Shoulder=collar {side}UpperArm=shoulder {side}ForeArm=elbow {side}Hand=wrist
    """,
}
# Our joints that a rig has no joint for, or only one that cannot be right.
FILLED = {
    "cmu": {"spine1", "spine2", "spine3", "left_collar", "right_collar"},
    "cmu_daz": {"spine1", "spine2", "spine3", "left_foot", "right_foot"},
    "cmu_asf": {"left_collar", "right_collar"},
    "bandai_namco": {"spine1", "spine2", "spine3"},
    "biped": {"spine1", "spine2", "spine3"},
}
ORDERS = ("ZXY", "XYZ", "YZX", "ZYX", "XZY", "YXZ")
UNITS = {"metres": 1.0, "centimetres": 0.01, "millimetres": 0.001, "CMU": 0.0254 / 0.45, "inches": 0.0254}


def read_rig(text: str) -> list[tuple[str, int, str]]:
    """Name, index of the parent and place of each joint of a rig."""
    rig: list[tuple[str, int, str]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        for side in ("left", "right") if "{" in line else ("",):
            parent = -1
            for word in line.format(side=side.capitalize(), s=side[:1], S=side[:1].upper()).split():
                name, _, place = word.replace("~", " ").partition("=")
                if place:
                    rig.append((name, parent, place if place in PLACES else f"{side}_{place}"))
                    parent = len(rig) - 1
                else:
                    parent = [joint[0] for joint in rig].index(name)
    return rig


def ours(rig: list[tuple[str, int, str]], joints: np.ndarray) -> np.ndarray:
    """Our 22 joints from those of a rig that has a joint at every place."""
    places = [place for _, _, place in rig]
    return joints[:, [places.index(name) for name in JOINT_NAMES]]


def turn(letter: str, degrees: float) -> np.ndarray:
    """Rotation about one axis, written out."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return {
        "X": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        "Y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        "Z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
    }[letter]


def write_rig(path: Path, rig: list[tuple[str, int, str]], unit: float = 0.01, bend: float = 25.0) -> np.ndarray:
    """Write two frames of a rig with all orders of channels, and return its joints `[2, J, 3]` in metres."""
    rng = np.random.default_rng(len(rig))
    places = np.array([PLACES[place] for _, _, place in rig])
    offsets = [
        place - places[parent] if parent >= 0 else place for place, (_, parent, _) in zip(places, rig, strict=True)
    ]
    lines, columns = ["HIERARCHY"], []

    def add(joint: int) -> None:
        name, parent, _ = rig[joint]
        order = ORDERS[joint % len(ORDERS)]
        columns.append(joint)
        channels = [f"{letter}rotation" for letter in order]
        if parent < 0:
            channels = ["Yposition", "Xposition", "Zposition", *channels]
        lines.extend([f"{'ROOT' if parent < 0 else 'JOINT'} {name}", "{"])
        lines.append("OFFSET {:.9f} {:.9f} {:.9f}".format(*offsets[joint] / unit))
        lines.append(f"CHANNELS {len(channels)} {' '.join(channels)}")
        children = [child for child in range(len(rig)) if rig[child][1] == joint]
        for child in children:
            add(child)
        if not children:
            lines.extend(["End Site", "{", "OFFSET 0 0 0", "}"])
        lines.append("}")

    add(0)
    frames, joints = [], np.zeros((2, len(rig), 3))
    for frame in range(2):
        angles = rng.uniform(-bend, bend, (len(rig), 3))
        root = np.array([0.3, 1.0, -0.2]) + 0.1 * frame
        rotations: list[np.ndarray] = []
        for joint, (_, parent, _) in enumerate(rig):
            order = ORDERS[joint % len(ORDERS)]
            local = (
                turn(order[0], angles[joint, 0]) @ turn(order[1], angles[joint, 1]) @ turn(order[2], angles[joint, 2])
            )
            rotations.append(rotations[parent] @ local if parent >= 0 else local)
            joints[frame, joint] = joints[frame, parent] + rotations[parent] @ offsets[joint] if parent >= 0 else root
        values = [root[1] / unit, root[0] / unit, root[2] / unit, *angles[columns].ravel()]
        frames.append(" ".join(f"{value:.9f}" for value in values))
    path.write_text("\n".join([*lines, "MOTION", "Frames: 2", "Frame Time: 0.0333333", *frames, ""]))
    return joints


@pytest.mark.parametrize("name", RIGS)
def test_convention(tmp_path: Path, name: str) -> None:
    rig, filled = read_rig(RIGS[name]), FILLED.get(name, set())
    unit = list(UNITS.values())[len(name) % len(UNITS)]
    truth = write_rig(tmp_path / "rig.bvh", rig, unit)
    motion = read_bvh(tmp_path / "rig.bvh")
    assert motion.fps == 30.0 and len(motion) == 2
    places = [place for _, _, place in rig]
    for joint, name in enumerate(JOINT_NAMES):
        if name not in filled:
            np.testing.assert_allclose(motion.joints[:, joint], truth[:, places.index(name)], atol=1e-6, err_msg=name)


@pytest.mark.parametrize("name", RIGS)
def test_filled_joints_lie_where_smpl_has_them(tmp_path: Path, name: str) -> None:
    rig = read_rig(RIGS[name])
    truth = write_rig(tmp_path / "rig.bvh", rig, bend=0.0)
    joints = read_bvh(tmp_path / "rig.bvh").joints
    pelvis = [place for _, _, place in rig].index("pelvis")
    found = joints - truth[:, pelvis, None]
    assert np.linalg.norm(found - REST, axis=-1).max() < 0.04


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("stretch", [0.8, 1.0, 1.2])
def test_unit_is_guessed_from_the_legs(tmp_path: Path, unit: str, stretch: float) -> None:
    rig = read_rig(RIGS["smpl"])
    truth = stretch * write_rig(tmp_path / "rig.bvh", rig, UNITS[unit] / stretch)
    np.testing.assert_allclose(read_bvh(tmp_path / "rig.bvh").joints, ours(rig, truth), atol=2e-6)


def test_scale_is_obeyed_and_legs_of_no_unit_become_typical_ones(tmp_path: Path) -> None:
    rig = read_rig(RIGS["smpl"])
    truth = write_rig(tmp_path / "rig.bvh", rig, unit=0.2)
    doubled = read_bvh(tmp_path / "rig.bvh", scale=0.4).joints
    np.testing.assert_allclose(doubled, 2 * ours(rig, truth), atol=2e-6)
    joints = read_bvh(tmp_path / "rig.bvh").joints
    leg = np.linalg.norm(joints[:, 1] - joints[:, 4], axis=-1) + np.linalg.norm(joints[:, 4] - joints[:, 7], axis=-1)
    np.testing.assert_allclose(leg, 0.82, atol=0.01)
    for scale in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="scale is metres per unit of the file, a finite number above zero"):
            read_bvh(tmp_path / "rig.bvh", scale=scale)


def named(*left_out: str, **renamed: str) -> tuple[list[str], np.ndarray]:
    """SMPL's joints in the T-pose without some of them, or with other names."""
    kept = [name for name in JOINT_NAMES if name not in left_out]
    rest = np.stack([REST[JOINT_NAMES.index(name)] for name in kept])
    return [renamed.get(name, name) for name in kept], np.stack([rest, rest + 0.5])


@pytest.mark.parametrize(
    "left_out",
    [
        ("neck",),
        ("spine1", "spine2", "spine3"),
        ("spine3",),
        ("left_collar", "right_collar"),
        ("left_collar",),
        ("left_foot", "right_foot"),
        ("neck", "spine1", "spine2", "spine3", "left_collar", "right_collar", "left_foot", "right_foot"),
    ],
)
def test_joints_that_are_absent_are_filled(left_out: tuple[str, ...]) -> None:
    names, positions = named(*left_out)
    joints = joints_from_named(names, positions)
    assert joints.shape == (2, 22, 3)
    np.testing.assert_allclose(joints[1] - joints[0], 0.5, atol=1e-12)
    np.testing.assert_allclose(joints[0], REST, atol=0.045)  # the spine without any joint is a straight line
    spine_moves = {"spine1", "spine2", "spine3"} if {"spine1", "spine2", "spine3"} & set(left_out) else set()
    same = [JOINT_NAMES.index(name) for name in JOINT_NAMES if name not in spine_moves | set(left_out)]
    np.testing.assert_array_equal(joints[0][same], REST[same])


def test_feet_follow_the_shins_in_any_axes() -> None:
    """Someone who lies on the back with Z up: feet point to the ceiling."""
    names, positions = named("left_foot", "right_foot")
    lying = np.stack([positions[..., 0], -positions[..., 1], positions[..., 2]], axis=-1)
    lying[..., 0] *= -1  # half a turn about Z, still a right-handed body
    joints = joints_from_named(names, lying)
    feet = joints[0, [JOINT_NAMES.index("left_foot"), JOINT_NAMES.index("right_foot")]]
    ankles = joints[0, [JOINT_NAMES.index("left_ankle"), JOINT_NAMES.index("right_ankle")]]
    assert ((feet - ankles)[:, 2] > 0.1).all()


def test_end_sites_stand_in_for_feet_hands_and_head() -> None:
    names, positions = named("left_foot", "right_wrist", "head", left_ankle="L_Foot", right_elbow="RightForeArm")
    names += ["L_Foot End Site", "RightForeArm End Site", "neck End Site"]
    ends = np.array([[0.1, -0.9, 0.2], [-0.7, 0.5, 0.0], [0.0, 0.7, 0.1]])
    joints = joints_from_named(names, np.concatenate([positions, np.stack([ends, ends])], axis=1))
    for name, end in zip(("left_foot", "right_wrist", "head"), ends, strict=True):
        np.testing.assert_array_equal(joints[0, JOINT_NAMES.index(name)], end)


def test_end_site_in_the_ankle_is_no_foot() -> None:
    names, positions = named("left_foot")
    ankle = positions[:, [names.index("left_ankle")]]
    joints = joints_from_named([*names, "left_ankle End Site"], np.concatenate([positions, ankle], axis=1))
    np.testing.assert_allclose(joints[0], REST, atol=0.035)


def test_joint_map_places_joints() -> None:
    names, positions = named(left_hip="oberschenkel links", head="Kopf", pelvis="Becken", spine1="Kreuz")
    given = {"left_hip": "Oberschenkel_Links", "head": ["Haupt", "Kopf"], "pelvis": "Becken", "spine1": "Kreuz"}
    np.testing.assert_array_equal(joints_from_named(names, positions, given)[0], REST)


def test_joint_map_goes_before_the_table() -> None:
    names, positions = named()
    joints = joints_from_named(names, positions, {"head": "neck", "neck": "head", "spine2": "spine1"})
    head, neck, spine1, spine2 = (JOINT_NAMES.index(name) for name in ("head", "neck", "spine1", "spine2"))
    np.testing.assert_array_equal(joints[0, [head, neck, spine2]], REST[[neck, head, spine1]])


def test_unknown_names_are_told_with_close_matches_and_the_way_out() -> None:
    names, positions = named(left_hip="LeftHipp", right_wrist="zzz")
    with pytest.raises(ValueError) as error:
        joints_from_named(names, positions)
    assert str(error.value) == (
        "2 of the 22 joints could not be placed: left_hip, right_wrist. The skeleton's joints are "
        f"{', '.join(names)}. Close matches: left_hip may be 'LeftHipp'. "
        "Say which is which with joint_map={'left_hip': 'LeftHipp', ...}."
    )


def test_many_names_are_cut_short() -> None:
    with pytest.raises(
        ValueError, match=r"14 of the 22 joints could not be placed.*j59 and 940 more\. Say which is which"
    ):
        joints_from_named([f"j{i}" for i in range(1000)], np.zeros((1, 1000, 3)))


@pytest.mark.parametrize(
    ("joint_map", "problem"),
    [
        (
            {"left_leg": "left_hip"},
            r"joint_map names 'left_leg', which is none of our joints\. Did you mean 'left_\w+'\? They",
        ),
        (
            {"head": "Haed"},
            r"joint_map places 'head' at 'Haed', but there is no such joint\. Did you mean 'head'\? The skel",
        ),
        (
            {"head": ["a", "b"]},
            r"joint_map places 'head' at 'a' or 'b', but there is no such joint\. The skeleton's joints",
        ),
        ({"head": []}, r"joint_map places 'head'"),
    ],
)
def test_wrong_joint_map(joint_map: dict, problem: str) -> None:
    names, positions = named()
    with pytest.raises(ValueError, match=problem):
        joints_from_named(names, positions, joint_map)


def test_wrong_shape() -> None:
    with pytest.raises(ValueError, match=r"Expected positions \[T, 2, 3\] for 2 names, got \[4, 3, 3\]\."):
        joints_from_named(["a", "b"], np.zeros((4, 3, 3)))


def test_rig_of_the_test_is_what_the_file_says(tmp_path: Path) -> None:
    rig = read_rig(RIGS["cmu"])
    truth = write_rig(tmp_path / "rig.bvh", rig)
    bvh = parse_bvh(tmp_path / "rig.bvh")
    order = [bvh.skeleton.names.index(name) for name, _, _ in rig]
    np.testing.assert_allclose(bvh.positions()[:, order] / 100, truth, atol=1e-8)
