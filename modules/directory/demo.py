"""Demo data: the people who call the demo customer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.kernel.db import db
from modules.directory.contacts import add_contact
from modules.directory.models import Contact
from modules.identity.demo import demo_customer

PEOPLE: tuple[tuple[str, str, str, str, str, list[str], str], ...] = (
    ("Amara Okafor", "Okafor & Daughters", "+4930123456", "Mobile", "en", ["Patient", "Payer"], "given"),
    ("Benedikt Sommer", "", "+4930123457", "Mobile", "de", ["Patient"], "given"),
    ("Chiara Lombardi", "Lombardi Lab", "+390655500142", "Work", "it", ["Supplier"], "given"),
    ("Daniel Whitlock", "", "+442079460277", "Mobile", "en", ["Patient", "Payer"], "partly"),
    ("Elif Kaya", "Kaya Orthodontics", "+441614960031", "Work", "en", ["Referrer"], "given"),
    ("Farid Haddad", "", "+442079460904", "Mobile", "fr", ["Patient"], "refused"),
    ("Grace Mbeki", "Harbour Lane School", "+441174960450", "Work", "en", ["Payer"], "given"),
    ("Hannah Lindqvist", "", "+442079460655", "Home", "en", ["Patient"], "partly"),
    ("Ivo Petrov", "Petrov Imaging", "+441314960770", "Work", "en", ["Supplier"], "given"),
    ("Jun Takahashi", "", "+442079460341", "Mobile", "en", ["Patient"], "given"),
    ("Katarzyna Nowak", "Nowak Family", "+441134960219", "Home", "en", ["Patient", "Payer"], "given"),
    ("Liam O’Rourke", "", "+442896496013", "Mobile", "en", ["Patient"], "refused"),
    ("Noor Rahman", "", "+442079460829", "Mobile", "en", ["Patient"], "unknown"),
    ("Oskar Bergman", "Bergman Fit-outs", "+441414960066", "Work", "en", ["Supplier"], "partly"),
)


def create_demo(settings: Any = None) -> None:
    """Add the contacts inside the open unit of work. Does nothing when the customer has contacts already."""
    customer = demo_customer()
    if db.session.scalar(select(Contact.id).where(Contact.tenant_id == customer.id).limit(1)):
        return
    for name, organisation, number, label, language, tags, consent in PEOPLE:
        local = name.split()[0].lower()
        add_contact(
            {
                "name": name,
                "organisation": organisation,
                "numbers": [{"number": number, "label": label}],
                "email": f"{local}@{organisation.split()[0].lower()}.example" if organisation else "",
                "language": language,
                "tags": tags,
                "consent": consent,
            },
            tenant_id=customer.id,
        )
