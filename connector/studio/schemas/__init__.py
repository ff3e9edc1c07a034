"""What the studio's API takes and gives, a module a topic; each field is described once, for people and programs."""
