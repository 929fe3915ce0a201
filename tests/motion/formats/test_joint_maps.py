"""Every naming convention from a BVH file of its own, joints that rigs lack, and what is said when a name is not known."""

from pathlib import Path

import numpy as np
import pytest

from atom_hf.motion import JOINT_NAMES, PARENTS, T_POSE_OFFSETS
from atom_hf.motion.formats.bvh import parse_bvh, read_bvh
from atom_hf.motion.formats.joint_maps import joints_from_named

REST = np.zeros((22, 3))
for _joint in range(1, 22):
    REST[_joint] = REST[PARENTS[_joint]] + T_POSE_OFFSETS[_joint]

# A rig: chains of name=place, where the place is one of our joints and a chain may begin with a joint above. Lines with {s}
# (or {side}, {S}) stand for both sides; ~ is a space.
LEGS_AND_ARMS = """
{hips} {side}UpLeg=hip {side}Leg=knee {side}Foot=ankle {side}%s=foot
{chest} {side}Shoulder=collar {side}Arm=shoulder {side}ForeArm=elbow {side}Hand=wrist
"""
RIGS = {
    "smpl": """
        pelvis=pelvis spine1=spine1 spine2=spine2 spine3=spine3 neck=neck head=head
        pelvis {side}_hip=hip {side}_knee=knee {side}_ankle=ankle {side}_foot=foot
        spine3 {side}_collar=collar {side}_shoulder=shoulder {side}_elbow=elbow {side}_wrist=wrist {side}_hand=wrist
    """,
    "smpl_short": """
        m_avg_Pelvis=pelvis m_avg_Spine1=spine1 m_avg_Spine2=spine2 m_avg_Spine3=spine3 m_avg_Neck=neck m_avg_Head=head
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
        mixamorig:Hips=pelvis mixamorig:Spine=spine1 mixamorig:Spine1=spine2 mixamorig:Spine2=spine3 mixamorig:Neck=neck
        mixamorig:Hips mixamorig:{side}UpLeg=hip mixamorig:{side}Leg=knee mixamorig:{side}Foot=ankle
        mixamorig:{side}Foot mixamorig:{side}ToeBase=foot mixamorig:{side}Toe_End=foot
        mixamorig:Spine2 mixamorig:{side}Shoulder=collar mixamorig:{side}Arm=shoulder mixamorig:{side}ForeArm=elbow
        mixamorig:{side}ForeArm mixamorig:{side}Hand=wrist mixamorig:{side}HandThumb1=wrist
        mixamorig:Neck mixamorig:Head=head mixamorig:HeadTop_End=head
    """,
    "mixamo_bare": """
        mixamorig1_Hips=pelvis Spine=spine1 Spine1=spine2 Spine2=spine3 Neck=neck Head=head
        mixamorig1_Hips {side}UpLeg=hip {side}Leg=knee {side}Foot=ankle {side}ToeBase=foot
        Spine2 {side}Shoulder=collar {side}Arm=shoulder {side}ForeArm=elbow {side}Hand=wrist
    """,
    "cc_base": """
        RL_BoneRoot=left_foot CC_Base_Hip=pelvis CC_Base_Pelvis=pelvis
        CC_Base_Pelvis CC_Base_{S}_Thigh=hip CC_Base_{S}_Calf=knee CC_Base_{S}_KneeShareBone=knee
        CC_Base_{S}_Calf CC_Base_{S}_Foot=ankle CC_Base_{S}_ToeBaseShareBone=foot
        CC_Base_{S}_Foot CC_Base_{S}_ToeBase=foot CC_Base_{S}_BigToe1=foot
        CC_Base_Hip CC_Base_Waist=spine1 CC_Base_Spine01=spine2 CC_Base_Spine02=spine3 CC_Base_NeckTwist01=neck
        CC_Base_NeckTwist01 CC_Base_NeckTwist02=neck CC_Base_Head=head
        CC_Base_Spine02 CC_Base_{S}_Clavicle=collar CC_Base_{S}_Upperarm=shoulder CC_Base_{S}_Forearm=elbow
        CC_Base_{S}_Forearm CC_Base_{S}_ForearmTwist01=elbow CC_Base_{S}_Hand=wrist
    """,
    "bandai_namco": """
        joint_Root=left_foot Hips=pelvis Spine=spine1 Chest=spine3 Neck=neck Head=head
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
        root=left_foot pelvis=pelvis spine_01=spine1 spine_02=spine2 spine_03=spine3 neck_01=neck head=head
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
    "cmu_asf": {"spine1", "spine2", "spine3", "neck", "left_collar", "right_collar"},
    "bandai_namco": {"spine1", "spine2", "spine3"},
    "biped": {"spine1", "spine2", "spine3"},
}
ORDERS = ("ZXY", "XYZ", "YZX", "ZYX", "XZY", "YXZ")


def read_rig(text: str) -> list[tuple[str, int, str]]:
    """Name, index of the parent and place of each joint of a rig."""
    rig: list[tuple[str, int, str]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        for side in ("left", "right") if "{" in line else ("",):
            filled = line.format(side=side.capitalize(), s=side[:1], S=side[:1].upper()).replace("~", " ")
            parent = -1
            for word in filled.replace(" ", "\0").replace("Bip01\0", "Bip01 ").split("\0"):
                name, _, place = word.partition("=")
                names = [joint[0] for joint in rig]
                if place:
                    rig.append((name, parent, place if place in JOINT_NAMES else f"{side}_{place}"))
                    parent = len(rig) - 1
                else:
                    parent = names.index(name)
    return rig
