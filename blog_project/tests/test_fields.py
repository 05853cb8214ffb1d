import re

from crispy_forms.templatetags.crispy_forms_filters import as_crispy_form
from django import forms
from django.test import SimpleTestCase


class Form(forms.Form):
    name = forms.CharField(help_text="Two letters or more.")
    about = forms.CharField(required=False)
    picture = forms.FileField(required=False, widget=forms.FileInput(attrs={"accept": "image/png"}))
    sure = forms.BooleanField(label="Yes, <b>sure</b>")
    agreed = forms.BooleanField(required=False)
    key = forms.CharField(widget=forms.HiddenInput)


class Fields(SimpleTestCase):
    """What templates/bootstrap5/field.html makes of each."""

    def draw(self, data=None):
        """Return the HTML of each field, by its name. The hidden one, without a block, is last."""
        *blocks, last = as_crispy_form(Form(data)).split('<div class="field')[1:]
        last, _, hidden = last.rpartition("<input")
        blocks = [*blocks, last]
        return dict(zip(Form.base_fields, [*blocks, hidden], strict=True))

    def test_each_has_one_label_and_the_hidden_one_has_none(self):
        fields = self.draw()
        for name in ["name", "about", "picture", "sure", "agreed"]:
            self.assertEqual(fields[name].count('<label class="form-'), 1)
            self.assertIn(f'for="id_{name}"', fields[name])
        self.assertIn('type="hidden" name="key"', fields["key"])
        self.assertNotIn("<label", fields["key"])

    def test_what_may_be_left_out_says_so_but_for_boxes(self):
        optional = [name for name, text in self.draw().items() if "(optional)" in text]
        self.assertEqual(optional, ["about", "picture"])

    def test_help_and_errors_are_tied_to_their_field(self):
        fields = self.draw({})
        described = re.search('aria-describedby="([^"]*)"', fields["name"])[1].split()
        self.assertEqual(described, ["id_name_helptext", "id_name_error"])
        for block in described:
            self.assertEqual(fields["name"].count(f'id="{block}"'), 1)
        for name in ["name", "sure"]:
            self.assertIn("This field is required.", fields[name])
            self.assertIn(" is-invalid", fields[name])
            self.assertIn('aria-invalid="true"', fields[name])
        for name in ["about", "picture", "agreed"]:
            self.assertNotIn("invalid", fields[name])

    def test_boxes_stand_before_their_label_and_files_keep_what_they_accept(self):
        fields = self.draw()
        self.assertLess(fields["sure"].index("<input"), fields["sure"].index("<label"))
        self.assertIn("form-check-input", fields["sure"])
        self.assertLess(fields["name"].index("<label"), fields["name"].index("<input"))
        self.assertIn('accept="image/png"', fields["picture"])
        self.assertIn("form-control", fields["picture"])

    def test_a_label_is_text(self):
        self.assertIn("Yes, &lt;b&gt;sure&lt;/b&gt;", self.draw()["sure"])
