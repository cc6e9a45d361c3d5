BEGIN TRANSACTION;
CREATE TABLE account (
	name VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	first_seen_at DATETIME NOT NULL, 
	last_attempt_at DATETIME, 
	last_read_at DATETIME, 
	next_read_at DATETIME, 
	failing_since DATETIME, 
	failures INTEGER NOT NULL, 
	last_error VARCHAR, 
	not_before DATETIME, 
	told VARCHAR NOT NULL, 
	rejected_fingerprint VARCHAR, 
	CONSTRAINT pk_account PRIMARY KEY (name)
);
INSERT INTO "account" VALUES('family','ok','2026-03-02 12:00:00.000000','2026-03-02 12:00:00.000000','2026-03-02 12:00:00.000000','2026-03-02 16:00:00.000000',NULL,0,NULL,NULL,'',NULL);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0007');
CREATE TABLE alert (
	id INTEGER NOT NULL, 
	channel VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	hold VARCHAR, 
	severity VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	case_number VARCHAR, 
	title VARCHAR NOT NULL, 
	body VARCHAR NOT NULL, 
	html VARCHAR NOT NULL, 
	short VARCHAR NOT NULL, 
	attempts INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	next_attempt_at DATETIME, 
	sent_at DATETIME, 
	acknowledged_at DATETIME, 
	last_error VARCHAR, 
	note VARCHAR, first_attempt_at DATETIME, covered_by INTEGER, claimed_by VARCHAR, claimed_until DATETIME, accepted_by VARCHAR, service_rests_until DATETIME, link_digest BLOB, 
	CONSTRAINT pk_alert PRIMARY KEY (id)
);
INSERT INTO "alert" VALUES(1,'phone','queued',NULL,'urgent','family','IOE0000000001','t','b','<p>b</p>','s',0,'2026-03-02 12:00:00.000000','2026-03-02 12:00:00.000000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE alert_change (
	alert_id INTEGER NOT NULL, 
	change_id INTEGER NOT NULL, 
	CONSTRAINT pk_alert_change PRIMARY KEY (alert_id, change_id), 
	CONSTRAINT fk_alert_change_alert_id_alert FOREIGN KEY(alert_id) REFERENCES alert (id), 
	CONSTRAINT fk_alert_change_change_id_change FOREIGN KEY(change_id) REFERENCES change (id)
);
INSERT INTO "alert_change" VALUES(1,1);
INSERT INTO "alert_change" VALUES(1,2);
CREATE TABLE answer (
	account VARCHAR NOT NULL, 
	case_number VARCHAR NOT NULL, 
	quality VARCHAR NOT NULL, 
	endpoint VARCHAR NOT NULL, 
	at DATETIME NOT NULL, 
	body BLOB NOT NULL, 
	CONSTRAINT pk_answer PRIMARY KEY (account, case_number, quality, endpoint)
);
INSERT INTO "answer" VALUES('family','IOE0000000001','good','case-status','2026-03-02 12:00:00.000000',X'776174636865722D616E73776572203120706C61696E20343431333666613335356233363738613131343661643136663765383634396539346662346663323166653737653833313063303630663631636161666638610A7B7D');
CREATE TABLE "case" (
	id INTEGER NOT NULL, 
	account VARCHAR NOT NULL, 
	case_number VARCHAR NOT NULL, 
	document VARCHAR, 
	seen BLOB, 
	heard BLOB, 
	revision INTEGER NOT NULL, 
	first_seen_at DATETIME NOT NULL, 
	last_read_at DATETIME, 
	stage_since DATE, 
	stage_since_told BOOLEAN NOT NULL, 
	touched_at DATETIME, 
	missing_reads INTEGER NOT NULL, 
	CONSTRAINT pk_case PRIMARY KEY (id), 
	CONSTRAINT fk_case_account_account FOREIGN KEY(account) REFERENCES account (name), 
	CONSTRAINT uq_case_account_case_number UNIQUE (account, case_number)
);
INSERT INTO "case" VALUES(1,'family','IOE0000000001','{"case_number":"IOE0000000001","language":"en","form":"I-485","title":null,"stage":"evidence_requested","status":"Request for Initial Evidence Was Sent","status_key":null,"description":null,"status_since":"2026-03-01","submitted_on":null,"updated_at":null,"office":null,"parts":null,"pending":[{"key":"status:rfe:2026-03-01","kind":"rfe","title":"Request for Initial Evidence Was Sent","description":null,"due_on":null,"due_by_estimate":"2026-05-24","starts_at":null,"place":null,"state":"open"}],"notices":[{"key":"n1","title":"Receipt notice","dated":"2026-01-05","download":null}],"history":null}',X'E7A46CB5363637F5C3525A42F27B0BB7',X'',1,'2026-03-02 12:00:00.000000',NULL,'2026-03-01',1,NULL,0);
CREATE TABLE change (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	account VARCHAR NOT NULL, 
	case_number VARCHAR, 
	kind VARCHAR NOT NULL, 
	severity VARCHAR NOT NULL, 
	subject VARCHAR, 
	summary VARCHAR NOT NULL, 
	old VARCHAR, 
	new VARCHAR, 
	CONSTRAINT pk_change PRIMARY KEY (id)
);
INSERT INTO "change" VALUES(1,'2026-03-02 12:00:00.000000','family','IOE0000000001','case_added','routine',NULL,'IOE0000000001 is watched.',NULL,'{"stage":"received"}');
INSERT INTO "change" VALUES(2,'2026-03-02 12:00:00.000000','family','IOE0000000001','rfe_received','urgent','status:rfe:2026-03-01','Evidence is asked for.',NULL,NULL);
CREATE TABLE item (
	id INTEGER NOT NULL, 
	account VARCHAR NOT NULL, 
	case_number VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	document VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	first_seen_at DATETIME NOT NULL, 
	letter_due_on DATE, 
	dated_at DATETIME, 
	CONSTRAINT pk_item PRIMARY KEY (id), 
	CONSTRAINT uq_item_account_case_number_key UNIQUE (account, case_number, "key")
);
INSERT INTO "item" VALUES(1,'family','IOE0000000001','status:rfe:2026-03-01','{"key":"status:rfe:2026-03-01","kind":"rfe","title":"Request for Initial Evidence Was Sent","description":null,"due_on":null,"due_by_estimate":"2026-05-24","starts_at":null,"place":null,"state":"open"}','open','2026-03-02 12:00:00.000000',NULL,NULL);
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('answers_sealed_like','776174636865722d616e73776572203120706c61696e20653362306334343239386663316331343961666266346338393936666239323432376165343165343634396239333463613439353939316237383532623835350a');
CREATE TABLE notice (
	id INTEGER NOT NULL, 
	account VARCHAR NOT NULL, 
	case_number VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	document VARCHAR NOT NULL, 
	first_seen_at DATETIME NOT NULL, 
	saved_as VARCHAR, 
	sha256 VARCHAR, 
	attempts INTEGER NOT NULL, 
	last_error VARCHAR, 
	CONSTRAINT pk_notice PRIMARY KEY (id), 
	CONSTRAINT uq_notice_account_case_number_key UNIQUE (account, case_number, "key")
);
INSERT INTO "notice" VALUES(1,'family','IOE0000000001','n1','{"key":"n1","title":"Receipt notice","dated":"2026-01-05","download":null}','2026-03-02 12:00:00.000000',NULL,NULL,0,NULL);
CREATE TABLE passkey (
	id INTEGER NOT NULL, 
	credential BLOB NOT NULL, 
	public_key BLOB NOT NULL, 
	sign_count INTEGER NOT NULL, 
	person VARCHAR, 
	read_only BOOLEAN NOT NULL, 
	name VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	last_used_at DATETIME, 
	CONSTRAINT pk_passkey PRIMARY KEY (id), 
	CONSTRAINT uq_passkey_credential UNIQUE (credential)
);
INSERT INTO "passkey" VALUES(1,X'63726564656E7469616C',X'6B6579',0,'Maria',1,'Phone','2026-03-02 12:00:00.000000',NULL);
CREATE TABLE published_list (
	name VARCHAR NOT NULL, 
	address VARCHAR NOT NULL, 
	tried_at DATETIME NOT NULL, 
	wait_seconds INTEGER NOT NULL, 
	content BLOB, 
	fetched_at DATETIME, 
	etag VARCHAR, 
	last_modified VARCHAR, 
	fault VARCHAR, 
	CONSTRAINT pk_published_list PRIMARY KEY (name)
);
INSERT INTO "published_list" VALUES('visa_bulletin','https://bulletin.example.org/visa_bulletin.json','2026-03-02 12:00:00.000000',86400,X'5B5D','2026-03-02 12:00:00.000000','"a"',NULL,NULL);
CREATE TABLE push_subscription (
	id INTEGER NOT NULL, 
	device_id INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_push_subscription PRIMARY KEY (id), 
	CONSTRAINT fk_push_subscription_device_id_web_key FOREIGN KEY(device_id) REFERENCES web_key (id) ON DELETE CASCADE, 
	CONSTRAINT uq_push_subscription_device_id UNIQUE (device_id)
);
INSERT INTO "push_subscription" VALUES(1,1,X'7365616C6564','2026-03-02 12:00:00.000000');
CREATE TABLE quota (
	account VARCHAR NOT NULL, 
	day VARCHAR NOT NULL, 
	taken INTEGER NOT NULL, 
	CONSTRAINT pk_quota PRIMARY KEY (account, day)
);
INSERT INTO "quota" VALUES('family','2026-03-02',3);
CREATE TABLE reminder (
	account VARCHAR NOT NULL, 
	case_number VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	mark VARCHAR NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_reminder PRIMARY KEY (account, case_number, subject, mark)
);
INSERT INTO "reminder" VALUES('family','IOE0000000001','stage','stalled','2026-03-02 12:00:00.000000');
CREATE TABLE sealed (
	owner VARCHAR NOT NULL, 
	purpose VARCHAR NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_sealed PRIMARY KEY (owner, purpose)
);
INSERT INTO "sealed" VALUES('family','session',X'776174636865722D73657373696F6E2031206665726E65742032346266636164313737316261656231653662633131323038643438663931630A6741414141414272437075693470787547583343486935524C473038514734456872345439686C6871394E6A6E6B314B6162664A54762D47557862374B6564765A773579753763675A326D324A6C78465937624B59457277464C744B63724D735F513D3D');
CREATE TABLE submission (
	id INTEGER NOT NULL, 
	account VARCHAR NOT NULL, 
	at DATETIME NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	counts BOOLEAN NOT NULL, 
	verdict VARCHAR, 
	CONSTRAINT pk_submission PRIMARY KEY (id)
);
CREATE TABLE user_case (
	number VARCHAR NOT NULL, 
	label VARCHAR, 
	person VARCHAR, 
	finished_at DATETIME, priority_category VARCHAR, priority_country VARCHAR, priority_on DATE, 
	CONSTRAINT pk_user_case PRIMARY KEY (number)
);
INSERT INTO "user_case" VALUES('ioe0000000001','Maria''s green card','Maria',NULL,'EB2','IN','2014-01-15');
CREATE TABLE web_key (
	id INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	digest BLOB NOT NULL, 
	person VARCHAR, 
	read_only BOOLEAN NOT NULL, 
	name VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	last_seen_at DATETIME, 
	CONSTRAINT pk_web_key PRIMARY KEY (id), 
	CONSTRAINT uq_web_key_digest UNIQUE (digest)
);
INSERT INTO "web_key" VALUES(1,'device',X'1F6076E3A47BA1DED08025FFE06E57AF217C14F9407F33FBA50F99B1C7019387','Maria',1,'Phone','2026-03-02 12:00:00.000000','2026-03-02 12:00:00.000000');
CREATE INDEX ix_alert_channel_sent_at ON alert (channel, sent_at);
CREATE INDEX ix_alert_state_next_attempt_at ON alert (state, next_attempt_at);
CREATE INDEX ix_change_account_case_number_id ON change (account, case_number, id);
CREATE INDEX ix_submission_account_at ON submission (account, at);
CREATE INDEX ix_alert_change_change_id ON alert_change (change_id);
CREATE INDEX ix_alert_link_digest ON alert (link_digest);
COMMIT;
