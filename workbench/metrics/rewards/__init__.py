"""Rewards: which distances between them tell how wrong a policy can go, and the worst case exactly.

>>> from workbench.metrics import rewards
>>> mdp, goal = rewards.frozen_lake()
>>> costly = goal.plus(rewards.as_reward("cost", [[-0.04] * 4] * 16 + [[0.0] * 4], mdp))
>>> round(rewards.reward_distance("minimal", mdp, goal, costly), 5)
0.07596
>>> found = rewards.worst_case_regret(mdp, goal, costly)
>>> found.value, rewards.check_regret(found.certificate()).valid
(1.0, True)
"""

from workbench.metrics.rewards.blindness import fool
from workbench.metrics.rewards.bounds import distance_constants
from workbench.metrics.rewards.checker import check as check_regret
from workbench.metrics.rewards.compare import grid_rewards, reward_distances
from workbench.metrics.rewards.files import read_mdp, second_of
from workbench.metrics.rewards.mdp import MDP
from workbench.metrics.rewards.polygon import shadow
from workbench.metrics.rewards.regret import worst_case_regret
from workbench.metrics.rewards.reward import Reward, as_reward, redistribution
from workbench.metrics.rewards.sight import reward_blindness, reward_invariances
from workbench.metrics.rewards.study import fooled_distances, regret_bounds, regret_correlations
from workbench.metrics.rewards.verification import regret_verification
from workbench.metrics.rewards.worlds import frozen_lake, grid_world, random_mdp
from workbench.metrics.rewards.yardsticks import REWARD_DISTANCES, canonical, reward_distance

__all__ = [
    "MDP",
    "REWARD_DISTANCES",
    "Reward",
    "as_reward",
    "canonical",
    "check_regret",
    "distance_constants",
    "fool",
    "fooled_distances",
    "frozen_lake",
    "grid_rewards",
    "grid_world",
    "random_mdp",
    "read_mdp",
    "redistribution",
    "regret_bounds",
    "regret_correlations",
    "regret_verification",
    "reward_blindness",
    "reward_distance",
    "reward_distances",
    "reward_invariances",
    "second_of",
    "shadow",
    "worst_case_regret",
]
