"""A short form of tools/crash-matrix: some of its points, the ones that matter most among them.

The whole takes minutes; here each kind of call has a share of what a run makes, spread over the run.
"""

from dataclasses import replace

import pytest
from crash import checks, network, points, scenes, tracer
from crash.scenes import NAME
from harness import pki

# So many points of each kind; all of those that are few.
SHARE = {"write": 2, "socket": 4, "pwrite64": 4, "fsync": 2, "fdatasync": 4, "rename": 3, "unlink": 1,
         "create": 2, "ftruncate": 1, "mkdir": 1}


@pytest.fixture
def make_scene(workdir, listener):
    made = []

    def make(maker):
        made.append(maker(workdir, listener))
        return made[-1]

    yield make
    for scene in made:
        scene.close()


def count(scene, kind):
    scene.reset()
    result, report = scene.run(tracer.Interference(kind, 0))
    scene.settle()
    assert result.code == 0, str(result)
    return report.seen


def spread(number, share):
    """SHARE of 1..NUMBER, the last one with them: what is killed then has all but ended."""
    share = min(share, number)
    return sorted({number - place * number // share for place in range(share)})


@pytest.mark.parametrize("kind", tracer.KINDS)
def test_killed_it_goes_on_where_it_was(make_scene, kind):
    scene = make_scene(scenes.Renew if kind in ("socket", "pwrite64", "fdatasync") else scenes.Issue)
    for at in spread(count(scene, kind), SHARE[kind]):
        point = points.try_point(scene, tracer.Interference(kind, at))
        assert not point.problems, str(point)


@pytest.mark.parametrize("kind", ("socket", "fdatasync"))
def test_a_killed_daemon_goes_on_where_it_was(make_scene, kind):
    scene = make_scene(scenes.DaemonIssue)
    for at in spread(count(scene, kind), 3):
        point = points.try_point(scene, tracer.Interference(kind, at))
        assert not point.problems, str(point)


@pytest.mark.parametrize("error", tracer.ERRORS)
def test_an_error_is_told_and_the_next_run_succeeds(make_scene, error):
    scene = make_scene(scenes.Issue)
    for kind in ("socket", "pwrite64", "fsync", "rename"):
        for at in spread(count(scene, kind), 2):
            point = points.try_point(scene, tracer.Interference(kind, at, error))
            assert not point.problems, str(point)


@pytest.mark.parametrize("fault", ("lost", "cut", "503", "html", "empty 200 after"))
def test_one_spoiled_request_costs_nothing(make_scene, fault):
    scene = make_scene(network.SCENES["network issue"])
    for at in spread(network.count_requests(scene), 3):
        case = network.try_case(scene, fault, at)
        assert case.first_code == 0 and not case.problems, str(case)


def test_the_counter_counts_and_the_error_is_seen(make_scene):
    """The tracer itself: a point that is not there changes nothing, and one that is there does."""
    scene = make_scene(scenes.Issue)
    number = count(scene, "rename")
    assert number > 2
    assert not points.try_point(scene, tracer.Interference("rename", number + 50)).hit
    result, report = scene.run(tracer.Interference("create", 1, "ENOSPC", always=True))
    assert report.hit == "openat" and result.code not in (0, 137), str(result)


def test_the_judge_sees_what_is_lost_doubled_or_left_behind(make_scene):
    scene = make_scene(scenes.Issue)
    assert scene.again().code == 0
    view, orders, url = scene.look(), scene.orders(), scene.ca_url
    other_key = dict(view.versions[0], key_pem=pki.key_pem(pki.new_key()).decode())

    def problems(changed):
        return (checks.store_problems(changed, scene.before, orders, [NAME])
                + checks.ca_problems(changed, orders, 0, url))

    assert problems(view) == []
    for name, changed in {
        "damaged": replace(view, integrity="malformed"),
        "lost": replace(view, versions=[], orders=[]),
        "doubled": replace(view, versions=view.versions * 2),
        "another key": replace(view, versions=[other_key]),
        "uncounted": replace(view, ledger=0),
        "open": replace(view, orders=[dict(view.orders[0], state="pending")]),
    }.items():
        assert problems(changed), name
    assert checks.ca_problems(view, orders * 2, 0, url)
    assert checks.event_problems(scene.recorder, [NAME], "renewed")
    state, dynamic = scene.certwright.state_dir, scene.dynamic_dir
    assert checks.traefik_problems(dynamic, state / "traefik", view) == []
    (state / "traefik" / ".1-2.key.0123456789abcdef.tmp").touch()
    assert checks.leftovers(state, dynamic)
    (dynamic / "certwright.yml").write_text("http: {")
    assert checks.traefik_problems(dynamic, state / "traefik", view)
