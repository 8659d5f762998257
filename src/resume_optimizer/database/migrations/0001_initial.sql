CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL UNIQUE,
    password_hash text,
    user_type text NOT NULL DEFAULT 'free' CHECK (user_type IN ('free', 'premium', 'probe')),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Who somebody is at an OpenID provider; an email address alone proves nothing.
CREATE TABLE identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
);

CREATE TABLE resumes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    filename text NOT NULL,
    file_type text NOT NULL CHECK (file_type IN ('pdf', 'docx', 'txt')),
    size_bytes bigint NOT NULL,
    object_key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX resumes_of_user ON resumes (user_id, created_at DESC);

CREATE TABLE jobs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    resume_id uuid NOT NULL REFERENCES resumes (id) ON DELETE CASCADE,
    posting_text text,
    posting_url text,
    request_key text,
    status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'completed', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    company_type text NOT NULL DEFAULT 'unknown',
    failure_code text,
    failure_message text,
    trace_id text NOT NULL DEFAULT '',
    carrier jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CHECK ((posting_text IS NULL) <> (posting_url IS NULL)),
    CHECK ((ended_at IS NOT NULL) = (status IN ('completed', 'failed'))),
    UNIQUE (user_id, request_key)
);
CREATE INDEX jobs_of_user ON jobs (user_id, created_at DESC);
CREATE INDEX jobs_under_way ON jobs (status, heartbeat_at) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE attempts (
    job_id uuid NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number integer NOT NULL,
    outcome text CHECK (outcome IN ('success', 'retry', 'failed', 'lost')),
    failure_code text,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (job_id, number)
);

-- One row a job: the key is what makes a result happen once.
CREATE TABLE results (
    job_id uuid PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    optimisation jsonb NOT NULL,
    score_before integer NOT NULL,
    score_after integer NOT NULL,
    docx_key text NOT NULL,
    docx_bytes bigint NOT NULL,
    pdf_key text NOT NULL,
    pdf_bytes bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE llm_calls (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    attempt integer NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    input_tokens bigint NOT NULL,
    cached_input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cost_usd double precision,
    duration_seconds double precision NOT NULL,
    outcome text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX llm_calls_by_time ON llm_calls (created_at);

-- Until when the kept bytes are paid for: whoever moves the time on counts the cost.
CREATE TABLE storage_charges (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    charged_until timestamptz NOT NULL DEFAULT now()
);
INSERT INTO storage_charges DEFAULT VALUES;
