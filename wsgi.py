"""What gunicorn serves: ``wsgi:app``."""

from engine.kernel.process import set_up_log
from engine.kernel.settings import load_settings
from ui.app import create_app

settings = load_settings()
set_up_log(settings.log_level)
app = create_app(settings)
