"""PostgreSQL: the only place of the application that writes SQL."""

from resume_optimizer.database import attempts, jobs, resumes, statistics, users
from resume_optimizer.database.migrate import migrate
from resume_optimizer.database.pool import Database

__all__ = ["Database", "attempts", "jobs", "migrate", "resumes", "statistics", "users"]
