CREATE TABLE costs (
  date TEXT, project TEXT, line_item TEXT, amount REAL, currency TEXT,
  PRIMARY KEY (date, project, line_item)
);
CREATE TABLE usage (
  start TEXT, model TEXT, requests INTEGER, input_tokens INTEGER, output_tokens INTEGER,
  PRIMARY KEY (start, model)
);
