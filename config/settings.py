"""Django's settings. Closed by default: what is open here has its reason beside it."""

from __future__ import annotations

import sys
from typing import Any

from config import env

BASE_DIR = env.BASE_DIR
VAR_DIR = env.VAR_DIR
IS_DEMO = env.IS_DEMO
SECRET_KEY = env.secret_key()
# Keys of before: they still open second factors and sessions, and sign nothing new.
SECRET_KEY_FALLBACKS: list[str] = env.env.list("DJANGO_SECRET_KEY_FALLBACKS", default=[])
DEBUG = False
IS_TEST = "pytest" in sys.modules
# The demo and the tests speak plain HTTP on loopback; everything else is behind TLS.
IS_LOOPBACK = IS_DEMO or IS_TEST or env.env.bool("REVIEWAPP_LOOPBACK", default=False)

ALLOWED_HOSTS: list[str] = env.env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
if IS_DEMO:
    ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]  # its passwords are published: no other name, whatever is asked
CSRF_TRUSTED_ORIGINS: list[str] = env.env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "guardian",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
    "reviewapp",
]

MIDDLEWARE = [
    "reviewapp.access.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "reviewapp.access.middleware.SessionAgeMiddleware",
    "reviewapp.access.middleware.ActorMiddleware",
    "reviewapp.access.middleware.PageErrorsMiddleware",
    "reviewapp.access.middleware.DoorMiddleware",
    "reviewapp.access.middleware.SecondFactorMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "reviewapp.access.context.page",
            ],
            "builtins": ["reviewapp.templatetags.ui", "reviewapp.templatetags.charts"],
        },
    }
]

# --- data ---
_connection = env.parse_database(env.database_url(env.DATABASE_ROLE))
_options = _connection["OPTIONS"]
_options["options"] = "-c statement_timeout=60s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
_options["application_name"] = f"reviewapp {env.DATABASE_ROLE}"
if not IS_TEST:
    _options["pool"] = {"min_size": 1, "max_size": env.env.int("DATABASE_POOL_SIZE", default=8), "timeout": 10}
DATABASES = {"default": _connection}
DATABASE_APP_USER = env.database_user("app")
DATABASE_OWNER_USER = env.database_user("owner")
DATABASE_SEQUENCER_USER = env.database_user("sequencer")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FILES_DIR = env.folder("REVIEWAPP_FILES", VAR_DIR / "files")
KEYS_DIR = env.folder("REVIEWAPP_KEYS", VAR_DIR / "keys")
VERIFIER_DIR = env.folder("REVIEWAPP_VERIFIER", KEYS_DIR)  # the log's public keys; the web process reads them
ERASURES_DIR = env.folder("REVIEWAPP_ERASURES", VAR_DIR / "erasures")  # the journal of erasures; web and workers
LOG_ORIGIN: str = env.env.str("REVIEWAPP_ORIGIN", default="reviewapp.local/audit")
PUBLISHING = env.publishing()
# The logs of others that this installation vouches for, by their verifier keys, and the key that it does so with.
WITNESS_FOR: list[str] = env.env.list("REVIEWAPP_WITNESS_FOR", default=[])
WITNESS_KEYS_DIR = env.folder("REVIEWAPP_WITNESS_KEYS", VAR_DIR / "witness")
WITNESS_NAME: str = env.env.str("REVIEWAPP_WITNESS_NAME", default=f"{LOG_ORIGIN}/witness")
if EMAIL_URL := env.env.str("EMAIL_URL", default=""):
    globals().update(env.env.email_url_config(EMAIL_URL))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL: str = env.env.str("DEFAULT_FROM_EMAIL", default="reviewapp@localhost")

REDIS_URL = env.redis_url()
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "reviewapp",
        "KEY_FUNCTION": "reviewapp.lib.cachekeys.keyed",
    }
}

# --- who ---
AUTH_USER_MODEL = "reviewapp.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
if IS_TEST:
    # Argon2 costs 50 ms a sign-in by design; hundreds of test people would pay it for nothing.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home:home"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "reviewapp.access.adapter.ClosedAccountAdapter"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False  # the cookie goes with the browser; 12 hours is the longest it counts
ACCOUNT_RATE_LIMITS = {
    # Failures only. The key is a name and an address (access/adapter.py): nobody is locked out from where others try.
    "login_failed": "20/15m/ip,5/15m/key",
    "login": "",
}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds; see access/reauthentication.py
MFA_REAUTHENTICATION_REQUIRED = False  # its pages wear `recent_sign_in` like the others
# Each token; 0 is no limit. A thousand a second is more than one program needs and less than one machine serves.
TOKEN_REQUESTS_PER_MINUTE: int = env.env.int("TOKEN_REQUESTS_PER_MINUTE", default=60_000)
INGEST_RECORDS_PER_MINUTE: int = env.env.int("INGEST_RECORDS_PER_MINUTE", default=1_000_000)  # each project
INGEST_BYTES_PER_MINUTE: int = env.env.int("INGEST_BYTES_PER_MINUTE", default=4 * 2**30)
ALLAUTH_TRUSTED_PROXY_COUNT = env.env.int("TRUSTED_PROXY_COUNT", default=0)
OIDC = env.openid_connect(is_test=IS_TEST)
SOCIALACCOUNT_ADAPTER = "reviewapp.access.oidc.provider.SocialAdapter"
SOCIALACCOUNT_STORE_TOKENS = False  # nothing here calls the provider on somebody's behalf
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ADAPTER = "reviewapp.access.factors.FactorAdapter"
MFA_FORMS = {
    "activate_totp": "reviewapp.access.factors.ActivateForm",
    "authenticate": "reviewapp.access.factors.OnceAuthenticateForm",
    "reauthenticate": "reviewapp.access.factors.OnceReauthenticateForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # one step of 30 s each way, for clocks that differ; a code still counts once
SECOND_FACTOR_ROLES: frozenset[str] = env.second_factor_roles()
GUARDIAN_RAISE_403 = False
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False

SESSION_ENGINE = "django.contrib.sessions.backends.db"  # a row, so that it can be ended from outside
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = not IS_LOOPBACK
SESSION_COOKIE_NAME = "reviewapp_session" if IS_LOOPBACK else "__Host-reviewapp_session"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = not IS_LOOPBACK
CSRF_COOKIE_NAME = "reviewapp_csrf" if IS_LOOPBACK else "__Host-reviewapp_csrf"
CSRF_FAILURE_VIEW = "reviewapp.access.problems.csrf_failure"

# --- the wire ---
SECURE_SSL_REDIRECT = not IS_LOOPBACK
SECURE_HSTS_SECONDS = 0 if IS_LOOPBACK else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not IS_LOOPBACK
SECURE_HSTS_PRELOAD = not IS_LOOPBACK
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
_SELF = ["'self'"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": _SELF,
        "style-src": _SELF,
        "img-src": ["'self'", "data:"],
        "font-src": _SELF,
        "connect-src": _SELF,
        "form-action": _SELF,
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}
# A bulk body is streamed and bounded by `lib.bodies`; Django's own bound is for forms.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "reviewapp.access.authentication.TokenAuthentication",
        "reviewapp.access.authentication.SessionActorAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["reviewapp.access.authentication.MayEnter"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["reviewapp.lib.api.RawParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "reviewapp.lib.api.JsonAlways",
    "DEFAULT_SCHEMA_CLASS": "reviewapp.lib.schema.HouseSchema",
    "EXCEPTION_HANDLER": "reviewapp.access.problems.api_exception_handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_VERSIONING_CLASS": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "reviewapp",
    "DESCRIPTION": "People judge sampled production outputs; this is how programs take part.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "AUTHENTICATION_WHITELIST": ["reviewapp.access.authentication.TokenAuthentication"],
    "POSTPROCESSING_HOOKS": [],
}

# --- work ---
CELERY_BROKER_URL = env.broker_url()
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900}
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_TASK_TIME_LIMIT = 660
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "publish-checkpoints": {"task": "reviewapp.compliance.tasks.publish_checkpoints", "schedule": 60.0},
    "pull-selections": {"task": "reviewapp.queues.tasks.pull_selections", "schedule": 5.0},
    "refresh-agreement": {"task": "reviewapp.agreement.tasks.refresh_due_reports", "schedule": 10.0},
    "sweep-judge-runs": {"task": "reviewapp.judge.tasks.sweep_runs", "schedule": 10.0},
    "sweep-erasures": {"task": "reviewapp.compliance.tasks.sweep_erasures", "schedule": 10.0},
    "sweep-verifications": {"task": "reviewapp.compliance.tasks.sweep_verifications", "schedule": 10.0},
    "drop-expired": {"task": "reviewapp.compliance.tasks.drop_expired", "schedule": 3600.0},
    "sweep-dataset-versions": {"task": "reviewapp.exports.tasks.sweep_versions", "schedule": 10.0},
}

# --- words and files ---
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "locale"]
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Compressing takes half a minute and gains nothing on loopback.
_static_backend = (
    "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    if IS_DEMO
    else "whitenoise.storage.CompressedManifestStaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if IS_TEST else _static_backend},
}
WHITENOISE_USE_FINDERS = IS_TEST
WHITENOISE_AUTOREFRESH = IS_TEST

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "reviewapp.lib.logs.OneLineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "httpx2": {"level": "WARNING"},  # it would write whole addresses, and a webhook's is a secret
    },
}
# Names that may lead into a private network: an identity provider or a model server of one's own. Never by default.
OUTBOUND_INSIDE_HOSTS: list[str] = [name.lower() for name in env.env.list("OUTBOUND_INSIDE_HOSTS", default=[])]
# An address of the outside world that judges may call in addition to the public default.
JUDGE_ALLOWED_HOSTS: list[str] = env.env.list("JUDGE_ALLOWED_HOSTS", default=["api.openai.com"])
JUDGE_ALLOW_LOOPBACK: bool = env.env.bool("JUDGE_ALLOW_LOOPBACK", default=IS_TEST)
# Where the log's checkpoints may be sent: webhooks and witnesses, `host` or `host:port`, https only.
WEBHOOK_ALLOWED_HOSTS: list[str] = env.env.list("WEBHOOK_ALLOWED_HOSTS", default=[])
WEBHOOK_ALLOW_LOOPBACK: bool = env.env.bool("WEBHOOK_ALLOW_LOOPBACK", default=IS_TEST)
