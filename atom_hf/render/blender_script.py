"""Runs inside Blender, not inside this package: reads a GLB file and writes it as FBX.

blender --background --factory-startup --python blender_script.py -- motion.glb motion.fbx 20.0
"""

import sys


def main(source: str, target: str, fps: float) -> None:
    """Import, set the scene's time, and export.

    Args:
        source (`str`): the GLB file.
        target (`str`): the FBX file.
        fps (`float`): frames per second of the animation.
    """
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    # The importer turns seconds into frames of the scene, so its rate has to be set before.
    scene.render.fps = max(1, round(fps))
    scene.render.fps_base = scene.render.fps / fps
    bpy.ops.import_scene.gltf(filepath=source)
    (armature,) = [thing for thing in scene.objects if thing.type == "ARMATURE"]
    for bone in armature.pose.bones:
        bone.custom_shape = None
    for thing in [thing for thing in bpy.data.objects if thing.type == "MESH" and thing.name.startswith("Icosphere")]:
        bpy.data.objects.remove(thing)  # the importer's picture of a bone
    action = armature.animation_data.action
    scene.name = action.name  # the animation's name in the file
    first, last = action.frame_range
    scene.frame_start, scene.frame_end = int(first), round(last)
    bpy.ops.export_scene.fbx(
        filepath=target,
        object_types={"ARMATURE", "MESH"},
        add_leaf_bones=False,
        bake_anim=True,
        bake_anim_use_all_bones=True,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_force_startend_keying=True,
        bake_anim_simplify_factor=0.0,  # every frame as it is
        path_mode="COPY",
        embed_textures=True,
    )
    sys.stdout.write(f"atom_hf: wrote {target}\n")


if __name__ == "__main__":
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    main(words[0], words[1], float(words[2]))
