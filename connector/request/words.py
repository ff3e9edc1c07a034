"""Words that stand one letter from another one and mean something else.

A name that holds such a word where a known name has the other was meant as it is written: `speed` beside `seed`.
"""

from __future__ import annotations

__all__ = ["WORDS"]

WORDS = frozenset(
    """
    alac ask avif band base batch best blend block bound brand budget cap chain chat cite class clip cloud code
    codes colour cost crop data date dates day deep depth dice draft edge edit edits even event fade fail fast fee
    fields find fine fire fit fix flow fold font form frame free from full fuse gain game gate gif goal grade grid
    group hard head heat heif hold host hour id image info intent ip jxl kind lane last late layer lead left less
    level lift limit line link list live load lock log long loop mark mask match math mean merge mesh mime mind mint
    mix mock month most move mute name near net next node noise note once opus order own pace pack pad page pair
    part past path pcma pcmu peak phase pick pin ping pitch pixel place plan play plug point pool port post press
    price prior probe proof range rank rate ratio raw read real region rest right ring risk role room root rope
    route row rule safe sale salt same save scale scan scene scope score sea search seat seed seek send serve set
    shape shard share shift shot shots side sign site size skill skip slot slow smart soft sort sound space span
    spec speech speed spend stack stage star start stat state step steps stop stops store stream style sum swap sync
    tail tap target task team tempo term test text theme thread tick tie tier tile till time tint title tone top
    topic total trace track trail train tree trial trim true tune turn uhd unit uri url urn use value vary vast view
    vote wait warm watch wave webm wide width word work year zone zoom
    """.split()  # noqa: SIM905 - a list of words is read by its lines
)
