"""Every table of the house, so that Django finds them. Nothing else."""

from reviewapp.access.models import *  # noqa: F403 - this module only gathers
from reviewapp.agreement.models import *  # noqa: F403 - this module only gathers
from reviewapp.audit.models import *  # noqa: F403 - this module only gathers
from reviewapp.compliance.models import *  # noqa: F403 - this module only gathers
from reviewapp.exports.models import *  # noqa: F403 - this module only gathers
from reviewapp.grading.models import *  # noqa: F403 - this module only gathers
from reviewapp.ingest.models import *  # noqa: F403 - this module only gathers
from reviewapp.judge.models import *  # noqa: F403 - this module only gathers
from reviewapp.queues.models import *  # noqa: F403 - this module only gathers
from reviewapp.rubrics.models import *  # noqa: F403 - this module only gathers
