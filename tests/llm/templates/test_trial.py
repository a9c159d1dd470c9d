"""Chat templates are tried in a process of their own: templates that do not end or take all memory are refused."""

from __future__ import annotations

import pytest

from tests.helpers.families import CHATML, FAMILIES
from utils.llm import LLMOptions
from utils.llm.backends import llamacpp
from utils.llm.templates import child
from utils.llm.templates.trial import try_template

pytest.importorskip("jinja2")
LOOP = "{% for x in range(90000) %}"
BIG_LOOP = f"{LOOP}{LOOP}{LOOP}" + "{% endfor %}" * 3
REFUSED = {
    "a loop that does not end": BIG_LOOP,
    "a loop that does not end with tools": "{% if tools %}" + BIG_LOOP + "{% endif %}",
    "a text that takes all memory": "{% set x = namespace(t='x') %}{% for i in range(40) %}"
    "{% set x.t = x.t ~ x.t %}{% endfor %}",
    "a large text": "{{ 'x' * 10 ** 10 }}",
    "a large number": "{{ 10 ** (10 ** 10) }}",
    "a large range": "{% for a in range(10 ** 9) %}x{% endfor %}",
    "a macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a way out of the sandbox": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_template_that_does_harm_is_refused(name):
    with pytest.raises(ValueError, match=r"model.gguf: its chat template is refused \("):
        try_template(REFUSED[name], "model.gguf")


@pytest.mark.parametrize("template", [family.template for family in FAMILIES.values() if family.template])
def test_the_templates_of_common_models_are_accepted(template):
    try_template(template, "model.gguf")  # raises ValueError if the template is refused
    assert child.verdict(template) is None


@pytest.mark.parametrize(
    "template",
    [
        CHATML,
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}x{% endfor %}",
        "{{ strftime_now('%d %b %Y') }}{{ messages[0]['content'] | tojson(indent=2) }}",
        "{% for m in messages %}{% if loop.index > 1 %}{% break %}{% endif %}{{ m.content | trim }}{% endfor %}",
        "{% if %}",
        "{{ 1 / 0 }}",
        "{{ messages[9].content.x }}",
        "\udcff{{ messages }}",
    ],
)
def test_an_error_of_its_own_is_left_to_the_models_engine(template):
    try_template(template, "model.gguf")  # raises ValueError if the template is refused
    assert child.verdict(template.encode("utf-8", "replace").decode()) is None


def test_without_a_process_the_verdict_is_the_same():
    assert child.verdict(CHATML) is None
    assert "Range" in str(child.verdict(REFUSED["a large range"]))


def test_the_template_of_a_gguf_file_is_tried_before_the_model_is_loaded(tmp_path, monkeypatch):
    pytest.importorskip("gguf")
    from tests.helpers.tiny_gguf import write_tiny_gguf

    monkeypatch.setattr(
        llamacpp, "server_parameters", lambda *given, **named: pytest.fail("llama.cpp was asked to load it")
    )
    path = write_tiny_gguf(tmp_path / "tiny.gguf", template=CHATML + REFUSED["a large range"])
    for use in (llamacpp.check, llamacpp.load, llamacpp.load_counter):
        with pytest.raises(ValueError, match=r"tiny.gguf: its chat template is refused"):
            use(str(path), LLMOptions())
