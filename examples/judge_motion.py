"""From a sentence to a motion and a score: scenario → synthesis → judge, and what a fault costs.

python examples/judge_motion.py "a person walks forward, then jumps twice and waves with the right hand" --out outputs
"""

import argparse
from pathlib import Path

from atom_hf import JudgeItem, KinematicJudge, Motion, Scenario, synthesize, with_fault
from atom_hf.events.faults import fault_kinds


def main() -> None:
    """Print the verdict on a synthesised motion, and on one with each fault that the scenario can have."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prompt", help="what the motion should show")
    parser.add_argument("--seed", type=int, default=0, help="of the synthesis")
    parser.add_argument("--out", type=Path, default=Path("outputs"), help="folder for the motion, judged.npy")
    options = parser.parse_args()

    scenario = Scenario.parse(options.prompt)
    print(f"understood: {scenario.to_json()}")
    motion = Motion(synthesize(scenario, options.seed).joints, text=options.prompt)
    motion.save(options.out / "judged.npy")
    judge = KinematicJudge("overall")
    (verdict,) = judge.score([JudgeItem(motion, options.prompt, scenario)])
    print(f"as asked: {verdict.score:.2f} of 5 ({verdict.reason})")
    for kind in fault_kinds(scenario):
        fault = with_fault(scenario, kind, options.seed)
        worse = Motion(synthesize(fault.scenario, options.seed).joints)
        (verdict,) = judge.score([JudgeItem(worse, options.prompt, scenario)])
        score = "no score" if verdict.score is None else f"{verdict.score:.2f} of 5"
        print(f"{fault.description}: {score} ({verdict.reason or verdict.cause})")


if __name__ == "__main__":
    main()
