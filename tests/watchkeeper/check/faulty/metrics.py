from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "http_requests_total", "Requests answered", ["method", "endpoint", "status_code"]
)
DURATION = Histogram("http_request_duration_seconds", "Time to answer", ["method", "endpoint"])
JOBS = Counter("completed_jobs_total", "Jobs that ended", ["status"])
LLM_DURATION = Histogram("llm_request_duration_seconds", "Time of a call", ["provider", "model"])
LLM_COST = Counter("llm_cost_usd_total", "Cost of calls in US dollars", ["provider", "model"])
MEMORY = Gauge("memory_usage_bytes", "Memory held", ["type"])
OPTIMIZATIONS = Counter("resume_optimizations_total", "Optimizations", ["status", "company_type"])
SUCCESS_RATE = Gauge("optimization_success_rate", "Share of optimizations that succeeded")
RATE_LIMITED = Counter("api_rate_limit_hits_total", "Calls refused", ["endpoint", "user_id"])
CONNECTIONS = Gauge("db_connections_active", "Connections in use")


class Pool:
    def __init__(self, pool):
        self.pool = pool

    def update(self):
        CONNECTIONS.set(self.pool.get_size())


def record(request, job, call, user):
    REQUESTS.labels(request.method, request.path, request.status).inc()
    DURATION.labels(request.method, request.path).observe(request.seconds)
    JOBS.labels(job.status).inc()
    OPTIMIZATIONS.labels(job.status, job.company).inc()
    LLM_DURATION.labels(call.provider, call.model).observe(call.seconds)
    LLM_COST.labels(call.provider, call.model).inc(call.dollars)
    MEMORY.labels("rss").set(request.memory)
    RATE_LIMITED.labels(request.path, user.id).inc()
